#include "unianimate/checkpoint/python_globals.h"

#include <algorithm>
#include <array>

namespace unianimate::checkpoint {

namespace {

/// The builtins that only hold data.
constexpr std::array<std::string_view, 18> kHarmlessBuiltins{
    "bool", "bytearray", "bytes",          "complex", "dict", "float", "frozenset", "int",   "list",
    "long", "object",    "NotImplemented", "range",   "set",  "slice", "str",       "tuple", "unicode",
};

/// Modules of which every name counts as running code, their submodules too.
constexpr std::array<std::string_view, 46> kModules{
    "_io",         "_osx_support", "_pickle",    "_posixsubprocess",
    "_winapi",     "asyncio",      "bdb",        "cProfile",
    "cloudpickle", "code",         "codeop",     "commands",
    "ctypes",      "dill",         "distutils",  "doctest",
    "ftplib",      "http",         "httplib",    "imp",
    "importlib",   "inspect",      "io",         "joblib",
    "linecache",   "marshal",      "nt",         "os",
    "pdb",         "pickle",       "pip",        "pkgutil",
    "platform",    "posix",        "profile",    "pty",
    "pydoc",       "requests",     "runpy",      "shutil",
    "smtplib",     "socket",       "subprocess", "sys",
    "timeit",      "webbrowser",
};

/// Single functions of modules that are harmless otherwise.
constexpr std::array<std::array<std::string_view, 2>, 8> kFunctions{{
    {"numpy", "load"},
    {"numpy.testing._private.utils", "runstring"},
    {"operator", "attrgetter"},
    {"operator", "methodcaller"},
    {"torch", "load"},
    {"torch.hub", "load"},
    {"torch.serialization", "load"},
    {"types", "FunctionType"},
}};

bool is_inside(std::string_view module, std::string_view package) noexcept {
  return module.starts_with(package) && (module.size() == package.size() || module[package.size()] == '.');
}

}  // namespace

bool runs_code(std::string_view module, std::string_view name) noexcept {
  if (module == "builtins" || module == "__builtin__" || module == "__builtins__") {
    return std::ranges::find(kHarmlessBuiltins, name) == kHarmlessBuiltins.end();
  }
  return std::ranges::any_of(kModules, [&](std::string_view package) { return is_inside(module, package); }) ||
         std::ranges::find(kFunctions, std::array{module, name}) != kFunctions.end();
}

}  // namespace unianimate::checkpoint
