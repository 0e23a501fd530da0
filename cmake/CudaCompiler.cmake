# nvcc, as scripts/setup.sh --cuda-compiler unpacks it from its wheels, or the machine's own. Without one what is for cards
# alone is left out, and the program computes there through ATen.

if(UNIANIMATE_SANITIZERS OR UNIANIMATE_COVERAGE)
  # Instruments are for the CPU.
  return()
endif()
find_program(UNIANIMATE_NVCC nvcc PATHS ${UNIANIMATE_DEPS_REAL_DIR}/nvidia/cu13/bin /usr/local/cuda/bin NO_DEFAULT_PATH
             DOC "The CUDA compiler")
find_program(UNIANIMATE_NVCC nvcc)
if(NOT UNIANIMATE_NVCC)
  message(STATUS "no nvcc: libunianimate_cuda.so is not built (scripts/setup.sh --cuda-compiler)")
  return()
endif()
execute_process(COMMAND ${UNIANIMATE_NVCC} --version OUTPUT_VARIABLE nvcc_version)
if(NOT nvcc_version MATCHES "release 13\\.")
  message(STATUS "${UNIANIMATE_NVCC} is not CUDA 13's: libunianimate_cuda.so is not built (scripts/setup.sh --cuda-compiler)")
  unset(UNIANIMATE_NVCC CACHE)
  return()
endif()
file(REAL_PATH ${UNIANIMATE_NVCC} nvcc_path)
cmake_path(GET nvcc_path PARENT_PATH nvcc_folder)
cmake_path(GET nvcc_folder PARENT_PATH UNIANIMATE_CUDA_ROOT)

# Headers of the runtime, and the library that libtorch brings.
add_library(cuda_runtime INTERFACE)
target_include_directories(cuda_runtime SYSTEM INTERFACE ${UNIANIMATE_CUDA_ROOT}/include)
target_link_libraries(cuda_runtime INTERFACE torch_cudart)

# Machine code for these, and PTX of the last for what comes after.
set(UNIANIMATE_CUDA_ARCHITECTURES 75 80 86 89 90 100 120 CACHE STRING "Compute capabilities to compile kernels for")
set(nvcc_options -std=c++20 -O3 --compiler-bindir ${CMAKE_CXX_COMPILER} -Xcompiler=-fPIC,-Wall,-Wextra)
if(UNIANIMATE_WARNINGS_AS_ERRORS)
  list(APPEND nvcc_options -Werror all-warnings)
endif()
foreach(architecture ${UNIANIMATE_CUDA_ARCHITECTURES})
  list(APPEND nvcc_options -gencode=arch=compute_${architecture},code=sm_${architecture})
endforeach()
list(GET UNIANIMATE_CUDA_ARCHITECTURES -1 newest_architecture)
list(APPEND nvcc_options -gencode=arch=compute_${newest_architecture},code=compute_${newest_architecture})

# unianimate_compile_cuda(VARIABLE source.cu...): the objects.
function(unianimate_compile_cuda variable)
  set(objects)
  foreach(source ${ARGN})
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${source}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${UNIANIMATE_NVCC} ${nvcc_options} -I${PROJECT_SOURCE_DIR}/src -MD -MF
              ${object}.d -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
      DEPFILE ${object}.d
      COMMENT "Compiling ${source} for cards"
      VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(${variable} ${objects} PARENT_SCOPE)
endfunction()
