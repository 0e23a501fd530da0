// Names that nobody can guess and that no two machines give twice.
#pragma once

#include <string>

namespace unianimate::queue {

/// `kind` and 20 of 0-9 and a-z without i, l, o and u: 100 random bits. Throws Error(kEnvironment) where the system has
/// no random numbers.
std::string random_id(char kind);

/// Whether random_id(kind) may have made it.
bool is_id(char kind, const std::string& text);

}  // namespace unianimate::queue
