// Bodies against the schemas of the OpenAPI document.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace unianimate::server {

/// Compiles each schema once. May be used from several threads.
class SchemaCheck {
 public:
  /// The document, whose "components/schemas" have all that refers to others.
  explicit SchemaCheck(const nlohmann::json& document);
  ~SchemaCheck();
  SchemaCheck(const SchemaCheck&) = delete;
  SchemaCheck& operator=(const SchemaCheck&) = delete;

  /// Throws http::Refused(invalid-request) with a pointer to each part that does not fit.
  void check(const nlohmann::json& body, const std::string& schema) const;

 private:
  struct Schemas;
  std::unique_ptr<Schemas> schemas_;
};

/// The body as JSON, where 39.0 is 39 as in JSON Schema. Throws http::Refused(invalid-json).
nlohmann::json parse_body(std::string_view body);

}  // namespace unianimate::server
