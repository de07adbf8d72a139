# Finds the CPU libraries of one LibTorch and defines LibTorch::cpu.
#
#   LIBTORCH_ROOT     folder with include/ and lib/ (`torch` of an unpacked wheel, or a LibTorch archive), or the folder
#                     above it. Taken as it is; LIBTORCH_VERSION, if given too, must match.
#   LIBTORCH_VERSION  else: this release from the cache, fetched first if the cache lacks it. Empty: the default release.
#
# Nothing is searched for: a distribution's package is never picked up. Only libtorch_cpu and libc10 are linked;
# libtorch.so would pull in CUDA.
#
# Defines LibTorch_VERSION, LibTorch_LIBRARY_DIR, LibTorch_FOUND.

if(LIBTORCH_ROOT)
  get_filename_component(_libtorch_root "${LIBTORCH_ROOT}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
else()
  find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
  execute_process(
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/fetch_libtorch.py" ${LIBTORCH_VERSION}
    OUTPUT_VARIABLE _libtorch_root OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _libtorch_status)
  if(NOT _libtorch_status EQUAL 0)
    message(FATAL_ERROR "LibTorch ${LIBTORCH_VERSION} could not be fetched; the reason stands above. "
      "Give the folder of an installed one with -DLIBTORCH_ROOT=DIR, or another release with -DLIBTORCH_VERSION=X.Y.Z.")
  endif()
endif()

if(NOT EXISTS "${_libtorch_root}/include" AND EXISTS "${_libtorch_root}/torch/include")
  string(APPEND _libtorch_root "/torch")
endif()
set(_libtorch_header "${_libtorch_root}/include/torch/csrc/api/include/torch/version.h")
foreach(_libtorch_file IN ITEMS "${_libtorch_header}" "${_libtorch_root}/include/ATen/ATen.h"
    "${_libtorch_root}/lib/libtorch_cpu.so" "${_libtorch_root}/lib/libc10.so")
  if(NOT EXISTS "${_libtorch_file}")
    message(FATAL_ERROR "No LibTorch in ${_libtorch_root}: ${_libtorch_file} is missing. "
      "LIBTORCH_ROOT must name the folder that holds its include/ and lib/.")
  endif()
endforeach()

# The version stands in torch/version.h, since 2.10 partly in torch/headeronly/version.h.
set(_libtorch_text "")
foreach(_libtorch_file IN ITEMS "${_libtorch_header}" "${_libtorch_root}/include/torch/headeronly/version.h")
  if(EXISTS "${_libtorch_file}")
    file(READ "${_libtorch_file}" _libtorch_part)
    string(APPEND _libtorch_text "${_libtorch_part}")
  endif()
endforeach()
set(LibTorch_VERSION "")
foreach(_libtorch_part IN ITEMS MAJOR MINOR PATCH)
  if(NOT _libtorch_text MATCHES "#define TORCH_VERSION_${_libtorch_part} ([0-9]+)")
    message(FATAL_ERROR "The version of LibTorch in ${_libtorch_root} could not be read from ${_libtorch_header}.")
  endif()
  list(APPEND LibTorch_VERSION "${CMAKE_MATCH_1}")
endforeach()
list(JOIN LibTorch_VERSION "." LibTorch_VERSION)
if(LIBTORCH_VERSION AND NOT LibTorch_VERSION VERSION_EQUAL LIBTORCH_VERSION)
  message(FATAL_ERROR "LibTorch ${LIBTORCH_VERSION} was asked for, but ${_libtorch_root} holds ${LibTorch_VERSION}.")
endif()
if(LibTorch_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "LibTorch ${LibTorch_VERSION} in ${_libtorch_root} is too old: 2.11 or later is needed.")
endif()

set(LibTorch_LIBRARY_DIR "${_libtorch_root}/lib")
# libtorch_cpu of a CUDA wheel needs libcudart and libcupti at load; they lie beside it and it finds them by itself. The
# linker wants to see them too.
file(GLOB _libtorch_companions LIST_DIRECTORIES true "${_libtorch_root}/../nvidia/*/lib")
list(TRANSFORM _libtorch_companions PREPEND "LINKER:-rpath-link," OUTPUT_VARIABLE _libtorch_link_dirs)

if(NOT TARGET LibTorch::cpu)
  add_library(LibTorch::cpu INTERFACE IMPORTED GLOBAL)
  set_target_properties(LibTorch::cpu PROPERTIES
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_libtorch_root}/include;${_libtorch_root}/include/torch/csrc/api/include"
    INTERFACE_INCLUDE_DIRECTORIES "${_libtorch_root}/include;${_libtorch_root}/include/torch/csrc/api/include"
    # One item, so that nothing gets between the switch and the libraries.
    INTERFACE_LINK_LIBRARIES "-Wl,--no-as-needed,${LibTorch_LIBRARY_DIR}/libtorch_cpu.so,${LibTorch_LIBRARY_DIR}/libc10.so,--as-needed"
    # RUNPATH, not RPATH: LD_LIBRARY_PATH may put another build of the same version in its place.
    INTERFACE_LINK_OPTIONS "LINKER:--enable-new-dtags;LINKER:-rpath,${LibTorch_LIBRARY_DIR};${_libtorch_link_dirs}")
endif()
set(LibTorch_FOUND TRUE)
message(STATUS "LibTorch ${LibTorch_VERSION}: ${_libtorch_root}")
