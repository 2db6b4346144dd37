# rosidl generates interwild_ros.msg into a folder of the same name; nothing else may stand here,
# because either of the two __init__.py files can win (docs: rosidl_generator_py, pkgutil).
__path__ = __import__('pkgutil').extend_path(__path__, __name__)
