#include "unianimate/studio/reference_person.h"

#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/pose/detect/extraction.h"

namespace unianimate::studio {

pose::ReferencePose find_reference(const Image& picture, const std::filesystem::path& path,
                                   pose::LazyDetector& detector, Progress& progress) {
  const pose::PoseDetector& networks = detector.get();
  progress.begin_phase("find reference", 0);
  const std::vector<pose::Person> people = pose::extract_people(picture, networks);
  if (people.empty()) {
    throw Error(ErrorKind::kInput,
                "no person was found in the reference picture {}; give a picture in which one can be seen clearly",
                printable(path.string()));
  }
  if (people.size() > 1) {
    progress.note(fmt::format("{} people were found in the reference picture; the largest near the middle is taken",
                              people.size()));
  }
  return {people.front().keypoints, picture.width, picture.height};
}

}  // namespace unianimate::studio
