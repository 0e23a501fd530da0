// All families of models there are.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/checkpoint/convert.h"
#include "unianimate/family/distillation.h"
#include "unianimate/family/family.h"
#include "unianimate/family/lora.h"
#include "unianimate/family/model_files.h"
#include "unianimate/family/recognised_model.h"
#include "unianimate/family/request.h"

namespace unianimate::families {

/// What is asked before models are open. All throw Error for files that are broken.
struct FamilyEntry {
  std::string_view name;
  /// The files a folder may hold, each found or not. Throws Error(kInput) where it is no folder.
  std::vector<family::PublishedFile> (*list_files)(const std::filesystem::path& folder);
  /// Those needed to animate. Throws Error(kInput) naming every file that is missing.
  family::ModelFiles (*find_files)(const std::filesystem::path& folder);
  /// The settings that suit the model in the folder, which may lack files.
  family::AnimateRequest (*default_request)(const std::filesystem::path& folder);
  /// Whether the files hold models of this family, judged by the names in them; throws nothing for files of others.
  bool (*recognises)(const family::ModelFiles& files);
  /// Throws Error(kInput) for files that are not exactly this family's models.
  std::unique_ptr<family::Family> (*open)(const family::ModelFiles& files, const family::RuntimeOptions& options);
  /// Writes a denoising model as a file of weights in 8 bits. Throws Error(kInput) for a file that is none.
  checkpoint::ConvertReport (*convert_to_int8)(const std::filesystem::path& input, const std::filesystem::path& output,
                                               bool allow_nonfinite, Progress& progress);
  /// Fills in what names and shapes tell of one checkpoint; leaves `model` alone where it is none of this family.
  void (*examine)(const checkpoint::Checkpoint& checkpoint, const std::filesystem::path& file,
                  family::RecognisedModel& model);
};

/// A new family is a folder in family/ and a row.
std::span<const FamilyEntry> all();

/// Whether the folder is there and holds a denoising model of any family.
bool holds_models(const std::filesystem::path& folder);

/// Name of the family whose denoising model lies in the folder; where none does, the first one's.
std::string_view family_name(const std::filesystem::path& folder);

/// The files of every family.
std::vector<family::PublishedFile> list_files(const std::filesystem::path& folder);

/// Of the family whose denoising model lies in the folder; where none does, the first one says what is missing.
family::ModelFiles find_files(const std::filesystem::path& folder);
/// With the sampling that find_distillation() tells of over it.
family::AnimateRequest default_request(const std::filesystem::path& folder,
                                       const std::vector<family::LoraFile>& loras = {});

/// What the last of the LoRAs that says so, or else the folder's denoising model, was distilled for. Throws
/// Error(kInput) where a file says what nobody knows; files that cannot be read are passed over.
std::optional<family::Distillation> find_distillation(const std::filesystem::path& folder,
                                                      const std::vector<family::LoraFile>& loras);

/// The models of the family that recognises the files; where none does, the first one says what is wrong with them.
std::unique_ptr<family::Family> open_family(const family::ModelFiles& files, const family::RuntimeOptions& options);

/// Of the family that recognises the model in the file; where none does, the first one says what is wrong with it.
checkpoint::ConvertReport convert_to_int8(const std::filesystem::path& input, const std::filesystem::path& output,
                                          bool allow_nonfinite, Progress& progress);

/// Of the first family that knows the checkpoint's model.
void examine(const checkpoint::Checkpoint& checkpoint, const std::filesystem::path& file,
             family::RecognisedModel& model);

}  // namespace unianimate::families
