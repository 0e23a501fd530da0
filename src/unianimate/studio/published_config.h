// The published configuration files, read as they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/family/condition_set.h"
#include "unianimate/family/model_files.h"
#include "unianimate/family/recognised_model.h"
#include "unianimate/family/request.h"

namespace unianimate::studio {

struct ConfigOptions {
  std::filesystem::path root;          ///< where relative paths of the file begin; empty: the current folder
  std::vector<std::string> overrides;  ///< "key=value", the value as YAML; keys inside maps with dots: "UNet.dim=320"
};

/// A size the configuration gives for a model, which the checkpoint itself knows better.
struct ExpectedSize {
  std::string key;                   ///< "UNet.dim"
  std::string where;                 ///< "infer.yaml, line 68: UNet.dim"
  std::vector<std::int64_t> values;  ///< one, or the elements of a list
};

struct ConfiguredItem {
  std::int64_t frame_interval = 1;
  std::filesystem::path reference;
  std::filesystem::path poses;
};

/// What a configuration asks for; paths are resolved against the root.
struct PublishedConfig {
  family::ModelFiles files;  ///< empty where the configuration names none
  std::vector<ConfiguredItem> items;
  std::int64_t rounds = 1;                           ///< how many times to go through the items
  std::vector<family::ConditionSet> condition_sets;  ///< each item is made once for each
  family::AnimateRequest base;  ///< what all items have in common; comparison and order of poses are as published
  double frames_per_second = 8;
  std::vector<ExpectedSize> expected_sizes;
  std::vector<std::string> warnings;  ///< keys this program does not know and leaves alone
};

/// Keys and their meaning are those of the published configs/UniAnimate_infer.yaml (short clips, all frames in one
/// window unless context_size is given) and UniAnimate_infer_long.yaml (windows). Keys that change speed or memory of
/// the published program only are accepted. Throws Error(kUsage), naming key, line, what was expected and found, for a
/// value of the wrong type, out of range, or that asks for what is not implemented, and for an override of an unknown
/// key; Error(kInput) for what is not YAML or is hostile. `name` stands for the file in errors. Touches no file.
PublishedConfig parse_published_config(std::string_view text, const std::string& name, const ConfigOptions& options);

/// The same from a file, whose model.json beside the UNet's checkpoint is used where there is one.
PublishedConfig read_published_config(const std::filesystem::path& path, const ConfigOptions& options);

/// Throws Error(kInput) where the models' own sizes (Family::sizes()) differ from those of the configuration, naming
/// both.
void check_expected_sizes(const PublishedConfig& config, const std::vector<family::ModelSize>& actual);

/// One video to make.
struct ConfiguredAnimation {
  family::AnimateRequest request;
  std::string file_name;  ///< as the published program names it
};

/// Rounds times items times condition sets, in the published order. The item at index i of the repeated list has the
/// seed base.seed + i div (number of items), and its file is
/// rank_01_00_{i:02}_seed_{seed}_{conditions joined by '_'}_{picture}_{height}x{width}.mp4, where {picture} is the
/// reference's file name up to its first dot, without characters other than letters, digits, '_' and white space.
std::vector<ConfiguredAnimation> list_animations(const PublishedConfig& config);

}  // namespace unianimate::studio
