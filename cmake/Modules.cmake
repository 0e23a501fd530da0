# One folder = one static library = one job.

# unianimate_module(NAME SOURCES file... [DEPENDS target...] [PRIVATE_DEPENDS target...] [TORCH])
# Makes unianimate_NAME. TORCH: the sources include ATen, so they share its precompiled header.
function(unianimate_module name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(unianimate_${name} STATIC ${ARG_SOURCES})
  target_include_directories(unianimate_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(unianimate_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  if(ARG_TORCH)
    unianimate_use_torch(unianimate_${name})
  endif()
endfunction()

# unianimate_test(NAME SOURCES file... DEPENDS target... [LABELS label...] [TORCH])
# Makes the GoogleTest program NAME and registers it with CTest as one test. It and what it starts compute on one thread
# each, so that tests can run side by side, and the program need not start itself anew for GOMP_SPINCOUNT. (Without
# TBB_ENABLE_SANITIZERS OpenVINO's TBB loads libraries in a way that the address sanitizer refuses.)
function(unianimate_test name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
  if(ARG_TORCH)
    unianimate_use_torch(${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 900
                       ENVIRONMENT_MODIFICATION
                       "UNIANIMATE_TEST_DATA=set:${PROJECT_SOURCE_DIR}/tests/data;GOMP_SPINCOUNT=set:2000;OMP_NUM_THREADS=set:1;ASAN_OPTIONS=set:detect_leaks=0;TBB_ENABLE_SANITIZERS=set:1")
endfunction()
