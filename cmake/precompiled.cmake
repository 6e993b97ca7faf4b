# diffsiam_read_once(NAME HEADERS...): precompiles headers for programs of ours.
# diffsiam_own_program(PROGRAM NAME): PROGRAM links what is compiled and begins with the headers of NAME. So it need
# not name the lists of what is compiled, and examples stay what a user would write.
function(diffsiam_read_once name)
  file(CONFIGURE OUTPUT ${name}.cpp CONTENT "\n")
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE diffsiam_own)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  # What ccache asks for.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  # A precompiled header knows its `#pragma once` files by their content, comments included; ccache must not serve one
  # that differs in comments only, so it compares files here, not what the preprocessor leaves of them.
  if(CMAKE_CXX_COMPILER_LAUNCHER)
    set_target_properties(${name} PROPERTIES
      CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_DEPEND=1;${CMAKE_CXX_COMPILER_LAUNCHER}")
  endif()
endfunction()
function(diffsiam_own_program program name)
  target_link_libraries(${program} PRIVATE diffsiam_own diffsiam_kernels)
  target_precompile_headers(${program} REUSE_FROM ${name})
  target_compile_options(${program} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()
