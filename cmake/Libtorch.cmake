# libtorch as scripts/setup.sh unpacks it from the PyPI wheel. The targets are made by hand: the wheel's own
# TorchConfig.cmake asks for the CUDA toolkit, and libtorch.so would pull the CUDA half in at link time.

set(UNIANIMATE_DEPS_DIR ${PROJECT_SOURCE_DIR}/build/deps CACHE PATH "Where scripts/setup.sh put the wheels' contents")
file(REAL_PATH ${UNIANIMATE_DEPS_DIR} UNIANIMATE_DEPS_REAL_DIR)
set(torch_root ${UNIANIMATE_DEPS_REAL_DIR}/torch)
if(NOT EXISTS ${torch_root}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "libtorch was not found in ${torch_root}: run scripts/setup.sh first, or set UNIANIMATE_DEPS_DIR.")
endif()
set(cuda_lib ${UNIANIMATE_DEPS_REAL_DIR}/nvidia/cu13/lib)

find_package(Threads REQUIRED)

add_library(torch_c10 SHARED IMPORTED)
set_target_properties(torch_c10 PROPERTIES IMPORTED_LOCATION ${torch_root}/lib/libc10.so)

add_library(torch_cpu SHARED IMPORTED)
set_target_properties(
  torch_cpu
  PROPERTIES IMPORTED_LOCATION ${torch_root}/lib/libtorch_cpu.so
             INTERFACE_LINK_LIBRARIES "torch_c10;Threads::Threads;${CMAKE_DL_LIBS}"
             IMPORTED_LINK_DEPENDENT_LIBRARIES "torch_gomp;torch_cudart;torch_cupti"
             INTERFACE_COMPILE_DEFINITIONS "_GLIBCXX_USE_CXX11_ABI=1;USE_DISTRIBUTED;USE_C10D_GLOO")
target_include_directories(torch_cpu SYSTEM INTERFACE ${torch_root}/include ${torch_root}/include/torch/csrc/api/include)
foreach(library gomp:${torch_root}/lib/libgomp.so.1 cudart:${cuda_lib}/libcudart.so.13 cupti:${cuda_lib}/libcupti.so.13)
  string(REGEX MATCH "^([a-z]+):(.*)$" _ ${library})
  add_library(torch_${CMAKE_MATCH_1} SHARED IMPORTED)
  set_target_properties(torch_${CMAKE_MATCH_1} PROPERTIES IMPORTED_LOCATION ${CMAKE_MATCH_2})
endforeach()

# ATen's headers cost six seconds a file; through this precompiled header it is one and a half.
add_library(torch_precompiled_header OBJECT ${PROJECT_SOURCE_DIR}/cmake/torch_precompiled_header.cpp)
target_link_libraries(torch_precompiled_header PRIVATE torch_cpu)
target_precompile_headers(torch_precompiled_header PRIVATE <ATen/ATen.h>)

function(unianimate_use_torch target)
  target_link_libraries(${target} PUBLIC torch_cpu)
  target_precompile_headers(${target} REUSE_FROM torch_precompiled_header)
endfunction()
