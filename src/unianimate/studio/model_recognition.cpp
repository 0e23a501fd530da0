#include "unianimate/studio/model_recognition.h"

#include <optional>
#include <vector>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/error.h"
#include "unianimate/families/families.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

/// Compares every checksum and refuses values that are not finite.
void read_everything(const checkpoint::Checkpoint& checkpoint, const Progress& progress) {
  checkpoint.verify_other_members();
  std::vector<checkpoint::NonFinite> found;
  for (const std::size_t i : checkpoint.file_order()) {
    progress.throw_if_cancelled();
    const checkpoint::TensorEntry& entry = checkpoint.tensors()[i];
    const auto nonfinite = checkpoint::find_nonfinite(checkpoint, entry, checkpoint::scalar_type(entry.type));
    if (nonfinite) found.push_back(*nonfinite);
  }
  if (!found.empty()) throw checkpoint.file().refusal("{}", checkpoint::sentence(found));
}

}  // namespace

family::RecognisedModel recognise_model(const checkpoint::Checkpoint& checkpoint, const fs::path& file,
                                        const Progress& progress) {
  family::RecognisedModel model;
  try {
    families::examine(checkpoint, file, model);
    if (const auto distillation = family::read_distillation(checkpoint, file)) {
      model.notes.push_back(distillation->sentence());
      if (!distillation->base.empty()) model.notes.push_back("it was distilled from the weights " + distillation->base);
    }
    read_everything(checkpoint, progress);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    model.problem = error.what();
  }
  return model;
}

}  // namespace unianimate::studio
