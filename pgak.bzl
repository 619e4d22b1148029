"""What a BUILD file says of its folder: its library, and its tests.

What comes from pip is in no target: it is what the Python of the machine has.
"""

load("@rules_python//python:defs.bzl", "py_library", "py_test")

_PYTEST = "//tests:run_pytest.py"

def pgak_library(name, srcs = None, exclude = [], data = [], **kwargs):
    """Makes a library of the Python files of a folder, but its tests.

    Args:
      name: of the library; the folder's own where it has one library.
      srcs: its files, where a folder has several libraries.
      exclude: files that other targets hold, such as binaries.
      data: what is read besides the .json and .npz files of the folder.
      **kwargs: of py_library.
    """
    exclude = exclude + ["*_test.py"]
    py_library(
        name = name,
        srcs = srcs or native.glob(["*.py"], exclude = exclude),
        data = data + native.glob(["*.json", "*.npz"], allow_empty = True),
        visibility = ["//visibility:public"],
        **kwargs
    )
    _files()

def pgak_tests(name, deps, data = [], alone = []):
    """Makes a test of each file of a folder that ends in _test.py.

    Args:
      name: of all of them together.
      deps: what the files import, all together.
      data: what they read.
      alone: the files that end in unittest.main(), which need no pytest; it
        runs all others.
    """
    paths = native.glob(["*_test.py"])
    for path in paths:
        py_test(
            name = path[:-len(".py")],
            # Slow tests run, too.
            size = "large",
            srcs = [path] if path in alone else [path, _PYTEST],
            args = [] if path in alone else [native.package_name() + "/" + path],
            data = data + ["//:pytest.ini"],
            main = path if path in alone else _PYTEST,
            deps = deps + ["//:conftest"],
        )
    native.test_suite(
        name = name,
        tests = [path[:-len(".py")] for path in paths],
    )
    _files()

# A glob ends where the next BUILD file is: the root asks each folder for its
# files, for the tests that read the checkout.
def _files():
    if not native.existing_rule("files"):
        native.filegroup(
            name = "files",
            srcs = native.glob(["**"], exclude = ["**/__pycache__/**"]),
            visibility = ["//visibility:public"],
        )
