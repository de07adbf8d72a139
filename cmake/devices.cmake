# Libraries for `--load`, for the tests of devices: a device in CPU memory with kernels that are wrong on it, and where
# there is a compiler for CUDA, wrong kernels for a GPU.

function(add_device_library name)
  add_library(${name} SHARED ${ARGN})
  target_link_libraries(${name} PRIVATE LibTorch::cpu)
  target_include_directories(${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
endfunction()

add_device_library(gradsmith_shadow properties/shadow/shadow_device.cpp properties/shadow/cpu_alias.cpp)
add_device_library(gradsmith_shadow_faults properties/shadow/shadow_faults.cpp properties/shadow/cpu_alias.cpp)

option(GRADSMITH_CUDA "Build the planted faults for CUDA where there is an nvcc" ON)
include(CheckLanguage)
if(GRADSMITH_CUDA)
  check_language(CUDA)
endif()
if(CMAKE_CUDA_COMPILER)
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80 90)
  endif()
  enable_language(CUDA)
  # The warnings of this project are the host compiler's: nvcc takes no such options.
  add_library(gradsmith_cuda_kernels OBJECT properties/cuda/faults.cu)
  set_target_properties(gradsmith_cuda_kernels PROPERTIES COMPILE_OPTIONS "" POSITION_INDEPENDENT_CODE ON CUDA_STANDARD 17)
  add_device_library(gradsmith_cuda_faults properties/cuda/register_faults.cpp $<TARGET_OBJECTS:gradsmith_cuda_kernels>)
  set_target_properties(gradsmith_cuda_faults PROPERTIES LINKER_LANGUAGE CUDA)
else()
  message(STATUS "Planted faults for CUDA are left out: no nvcc (PATH, CUDACXX or -DCMAKE_CUDA_COMPILER=FILE)")
endif()
