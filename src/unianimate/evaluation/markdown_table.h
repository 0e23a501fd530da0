// Tables that can be read as text, too.
#pragma once

#include <string>
#include <vector>

namespace unianimate::evaluation {

using TableRow = std::vector<std::string>;

/// Markdown with columns of equal width, the head first; all but the first column stand to the right.
std::string markdown_table(const std::vector<TableRow>& rows);

}  // namespace unianimate::evaluation
