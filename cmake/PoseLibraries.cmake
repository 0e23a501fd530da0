# OpenVINO as scripts/setup.sh unpacks it from its wheel. The target is made by hand: the wheel's own configuration asks for
# parts that are not unpacked.

set(openvino_root ${UNIANIMATE_DEPS_REAL_DIR}/openvino)
file(GLOB openvino_library ${openvino_root}/libs/libopenvino.so.*)
file(GLOB openvino_tbb ${openvino_root}/libs/libtbb.so.*)
if(NOT openvino_library)
  message(FATAL_ERROR "OpenVINO was not found in ${openvino_root}: run scripts/setup.sh first, or set UNIANIMATE_DEPS_DIR.")
endif()

add_library(openvino_tbb SHARED IMPORTED)
set_target_properties(openvino_tbb PROPERTIES IMPORTED_LOCATION ${openvino_tbb})
# It finds its plugins and readers in its own folder.
add_library(openvino_runtime SHARED IMPORTED)
set_target_properties(openvino_runtime PROPERTIES IMPORTED_LOCATION ${openvino_library}
                                                  IMPORTED_LINK_DEPENDENT_LIBRARIES openvino_tbb)
target_include_directories(openvino_runtime SYSTEM INTERFACE ${openvino_root}/include)

set(UNIANIMATE_BLAZEPOSE_DIR ${UNIANIMATE_DEPS_REAL_DIR}/mediapipe/modules CACHE PATH
                                                                                "Where the embedded pose models are")
