// Procedural people to train on.
#pragma once

#include <cstdint>

#include "unianimate/puppet/clip.h"
#include "unianimate/training/footage.h"

namespace unianimate::training {

struct PuppetFootageOptions {
  std::uint64_t first_person = 1'000'000;  ///< seeds of people; none of these is for measuring
  std::int64_t people = 4096;
  int width = 96;
  int height = 128;
  std::int64_t coherent = 8;   ///< moments that follow each other
  std::int64_t scattered = 4;  ///< moments from anywhere in the movement

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

/// Item i is person first_person + i. Motion (dance for three in five, else walk or wave) and frame rate (6 … 16 a
/// second) follow from the seed.
class PuppetFootage : public FootageSource {
 public:
  explicit PuppetFootage(const PuppetFootageOptions& options);
  [[nodiscard]] std::int64_t size() const override { return options_.people; }
  [[nodiscard]] Footage load(std::int64_t index) const override;
  [[nodiscard]] std::string description() const override;

 private:
  PuppetFootageOptions options_;
};

}  // namespace unianimate::training
