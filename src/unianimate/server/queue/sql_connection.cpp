#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue {

std::int64_t SqlRow::number(std::size_t column) const {
  const SqlValue& value = values_.at(column);
  return has(column) ? std::get<std::int64_t>(value) : 0;
}

double SqlRow::real(std::size_t column) const {
  const SqlValue& value = values_.at(column);
  if (const auto* const whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return has(column) ? std::get<double>(value) : 0;
}

std::string SqlRow::text(std::size_t column) const {
  return has(column) ? std::get<std::string>(values_.at(column)) : std::string();
}

std::optional<std::string> SqlRow::optional_text(std::size_t column) const {
  return has(column) ? std::optional(text(column)) : std::nullopt;
}

std::optional<double> SqlRow::optional_real(std::size_t column) const {
  return has(column) ? std::optional(real(column)) : std::nullopt;
}

}  // namespace unianimate::queue
