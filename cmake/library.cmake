# What a user links: diffsiam::diffsiam, which needs a compiler and threads, and the components, each of which looks for
# its own libraries. The build tree and the installed package both define them here, as imported targets: their headers
# are system headers to whoever links them, and no warning, optimisation or instruction set comes with them.
#
# A component is a file, components/NAME.cmake. It looks for its libraries, names those that it cannot do without with
# diffsiam_need(), and ends in diffsiam_component(). diffsiam_NAME_FOUND says whether it can be used. A component that
# cannot is a target all the same: who links it reads what is missing.

set(DIFFSIAM_COMPONENTS io eval pictures lmdb npz hnsw onednn mpi cuda nccl torch)

# diffsiam_define(INCLUDE_DIR SCOPE): diffsiam::diffsiam. SCOPE is GLOBAL, or empty for the calling directory.
function(diffsiam_define include_dir scope)
  if(TARGET diffsiam::diffsiam)
    return()
  endif()
  find_package(Threads REQUIRED)
  add_library(diffsiam::diffsiam INTERFACE IMPORTED ${scope})
  set_target_properties(diffsiam::diffsiam PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${include_dir}"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endfunction()

# diffsiam_find_component(NAME SCOPE): defines diffsiam::NAME, after the components that it stands on. Sets
# diffsiam_NAME_FOUND, and diffsiam_NAME_WHY to what is missing or to what was found.
function(diffsiam_find_component name scope)
  if(NOT TARGET diffsiam::${name})
    set(missing "")
    set(why "")
    include(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/components/${name}.cmake)
  endif()
  get_target_property(found diffsiam::${name} DIFFSIAM_FOUND)
  get_target_property(why diffsiam::${name} DIFFSIAM_WHY)
  set(diffsiam_${name}_FOUND ${found} PARENT_SCOPE)
  set(diffsiam_${name}_WHY "${why}" PARENT_SCOPE)
endfunction()

# In a component's file: notes the Debian name of a package unless it was found.
macro(diffsiam_need found debian_name)
  if(NOT ${found})
    list(APPEND missing ${debian_name})
  endif()
endmacro()

# In a component's file: looks for a library that brings no CMake package. Sets DIFFSIAM_NAME_INCLUDE,
# DIFFSIAM_NAME_LIBRARY and DIFFSIAM_NAME_FOUND.
macro(diffsiam_find_library name header library)
  find_path(DIFFSIAM_${name}_INCLUDE ${header})
  find_library(DIFFSIAM_${name}_LIBRARY ${library})
  mark_as_advanced(DIFFSIAM_${name}_INCLUDE DIFFSIAM_${name}_LIBRARY)
  set(DIFFSIAM_${name}_FOUND FALSE)
  if(DIFFSIAM_${name}_INCLUDE AND DIFFSIAM_${name}_LIBRARY)
    set(DIFFSIAM_${name}_FOUND TRUE)
  endif()
endmacro()

# In a component's file, at its end:
#   diffsiam_component(NAME BASE component USES text [LINK items...] [INCLUDE dirs...] [DEFINE definitions...]
#                      [OPTIONS compile options...])
# BASE is diffsiam or the component it stands on; USES says what it is made of. The variable `why`, if the file has set it,
# says why the component cannot be used although no package is missing.
function(diffsiam_component name)
  cmake_parse_arguments(PARSE_ARGV 1 is "" "BASE;USES" "LINK;INCLUDE;DEFINE;OPTIONS")
  if(missing)
    list(JOIN missing ", " missing)
    set(why "missing: ${missing} (Debian's names)")
  endif()
  if(NOT is_BASE STREQUAL "diffsiam")
    diffsiam_find_component(${is_BASE} "${scope}")
    if(why STREQUAL "" AND NOT diffsiam_${is_BASE}_FOUND)
      set(why "it needs diffsiam::${is_BASE}, ${diffsiam_${is_BASE}_WHY}")
    endif()
  endif()

  add_library(diffsiam::${name} INTERFACE IMPORTED ${scope})
  if(why STREQUAL "")
    set_target_properties(diffsiam::${name} PROPERTIES
      INTERFACE_INCLUDE_DIRECTORIES "${is_INCLUDE}"
      INTERFACE_COMPILE_DEFINITIONS "${is_DEFINE}"
      INTERFACE_COMPILE_OPTIONS "${is_OPTIONS}"
      INTERFACE_LINK_LIBRARIES "diffsiam::${is_BASE};${is_LINK}"
      DIFFSIAM_FOUND TRUE DIFFSIAM_WHY "${is_USES}")
  else()
    # CMake refuses the link and prints this name.
    set_target_properties(diffsiam::${name} PROPERTIES
      INTERFACE_LINK_LIBRARIES "diffsiam::${name} cannot be used, ${why}"
      DIFFSIAM_FOUND FALSE DIFFSIAM_WHY "${why}")
  endif()
endfunction()

# diffsiam_add_compiled(NAME BACKENDS...): the static library NAME with operations and networks on each of the BACKENDS,
# which are the names of headers in diffsiam/compiled. It is built in the user's project, with the user's flags.
function(diffsiam_add_compiled name)
  set(known cpu_float cpu_double cpu_bfloat16 reference_float reference_double onednn_float onednn_bfloat16)
  add_library(${name} STATIC)
  target_link_libraries(${name} PUBLIC diffsiam::diffsiam)
  target_compile_definitions(${name} PRIVATE DIFFSIAM_COMPILES_TEMPLATES)
  foreach(backend IN LISTS ARGN)
    if(NOT backend IN_LIST known)
      list(JOIN known ", " known)
      message(FATAL_ERROR "diffsiam_add_compiled: there is no diffsiam/compiled/${backend}.hpp; there are ${known}.")
    endif()
    if(backend MATCHES "onednn")
      target_link_libraries(${name} PUBLIC diffsiam::onednn)
    endif()
    file(CONFIGURE OUTPUT ${name}/${backend}.cpp CONTENT "#include <diffsiam/compiled/${backend}.hpp>\n")
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${name}/${backend}.cpp)
  endforeach()
endfunction()
