// SHA-256, for names of contents that nobody can forge.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace unianimate {

/// Of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::string_view bytes);
  /// 64 hexadecimal digits; nothing is to be added after that.
  std::string digits();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The same of all at once.
std::string sha256_of(std::string_view bytes);

}  // namespace unianimate
