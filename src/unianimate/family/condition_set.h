// Which conditions an animation is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unianimate::family {

/// The published names of the four conditions; see models::UNetConditions for what each is.
enum class Condition { kImage, kLocalImage, kRandomRef, kDwpose };
std::string_view condition_name(Condition condition);

/// Conditions in the order they were written, none twice.
class ConditionSet {
 public:
  /// The default, {image, randomref, dwpose}: the reference's looks, free to take any pose from the first frame on.
  ConditionSet();
  explicit ConditionSet(std::vector<Condition> conditions);

  /// "image,randomref,dwpose" in any order, or a friendly name: "reference" for the default, "first-frame" for
  /// {image, local_image, dwpose}, where the reference picture is the first frame of the video.
  /// Throws Error(kUsage) naming what is accepted.
  static ConditionSet parse(std::string_view text);

  [[nodiscard]] bool contains(Condition condition) const;
  [[nodiscard]] const std::vector<Condition>& conditions() const { return conditions_; }
  /// Names joined by `separator`, in the order they were written.
  [[nodiscard]] std::string names(std::string_view separator = ",") const;

  bool operator==(const ConditionSet&) const = default;

 private:
  std::vector<Condition> conditions_;
};

}  // namespace unianimate::family
