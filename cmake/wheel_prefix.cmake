# For builds against PyPI's ROS wheels: include it by CMAKE_PROJECT_INCLUDE.
#
# The CMake targets of the wheels name an include folder of the machine that they were built on
# (/opt/python/cp311-cp311/include/python3.11), and CMake refuses to generate for a target with an
# include folder that does not exist. The same generator gives our own targets NumPy's folder in
# the virtual environment, and CMake refuses to export a folder inside the source tree (.venv).

function(drop_missing_include_folders)
  get_property(targets DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folders)
      continue()
    endif()
    set(present)
    foreach(folder IN LISTS folders)
      if(NOT IS_ABSOLUTE "${folder}" OR EXISTS "${folder}")
        list(APPEND present "${folder}")
      endif()
    endforeach()
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${present}")
  endforeach()
endfunction()

function(export_no_absolute_include_folders)
  get_property(targets DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folders)
      continue()
    endif()
    list(TRANSFORM folders REPLACE "^(/.*)$" "$<BUILD_INTERFACE:\\1>")
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${folders}")
  endforeach()
endfunction()

# The targets come along with find_package(), after project(): hence at the end of the folder.
cmake_language(DEFER CALL drop_missing_include_folders)
cmake_language(DEFER CALL export_no_absolute_include_folders)
