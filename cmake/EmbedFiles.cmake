# unianimate_embed_text(VARIABLE file NAME name NAMESPACE namespace): a source that defines
# `extern const std::string_view NAME` in the namespace with the file's content, made anew when the file changes.
function(unianimate_embed_text variable file)
  cmake_parse_arguments(ARG "" "NAME;NAMESPACE" "" ${ARGN})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} content)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}.cpp)
  string(CONCAT text "#include <string_view>\n\nnamespace ${ARG_NAMESPACE} {\nextern const std::string_view ${ARG_NAME};\n"
                "const std::string_view ${ARG_NAME} = R\"embedded(${content})embedded\";\n}\n")
  file(CONFIGURE OUTPUT ${source} CONTENT "${text}" @ONLY)
  set(${variable} ${source} PARENT_SCOPE)
endfunction()
