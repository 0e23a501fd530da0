#include "unianimate/evaluation/markdown_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace unianimate::evaluation {

std::string markdown_table(const std::vector<TableRow>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 3);
  for (const TableRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](const TableRow& row) {
    std::string text = fmt::format("| {:<{}} |", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) text += fmt::format(" {:>{}} |", row[i], widths[i]);
    return text + "\n";
  };
  std::string text = line(rows.front()) + "|" + std::string(widths[0] + 2, '-') + "|";
  for (std::size_t i = 1; i < widths.size(); ++i) text += std::string(widths[i] + 1, '-') + ":|";
  text += '\n';
  for (std::size_t i = 1; i < rows.size(); ++i) text += line(rows[i]);
  return text;
}

}  // namespace unianimate::evaluation
