// Which names in a pickle are there to run code.
#pragma once

#include <string_view>

namespace unianimate::checkpoint {

/// True for functions and classes of Python that a checkpoint has no honest use for and that run code, start programs,
/// or open files and connections when a careless reader calls them (os.system, builtins.eval, ...). The reader here
/// calls nothing; a file that names one is refused as hostile all the same.
bool runs_code(std::string_view module, std::string_view name) noexcept;

}  // namespace unianimate::checkpoint
