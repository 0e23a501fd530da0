#include "unianimate/pipeline/preview_writer.h"

#include <utility>

#include "unianimate/core/error.h"

namespace unianimate::pipeline {

template <typename Work>
void PreviewWriter::attempt(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kEnvironment) throw;
    sink_.reset();
    progress_.note(fmt::format("there is no preview this time: {}", error.what()));
  }
}

PreviewWriter::PreviewWriter(const OpenPreview& open, const family::AnimateRequest& request, std::int64_t frames,
                             std::unique_ptr<family::ClipDecoder> decoder, Progress& progress)
    : frames_left_(frames), decoder_(std::move(decoder)), progress_(progress) {
  attempt([&] { sink_ = open(request.width, request.height); });
}

void PreviewWriter::write(const at::Tensor& x0) {
  for (const at::Tensor& latent : x0.split(1, 2)) {
    if (!sink_) return;
    attempt([&] {
      for (const Image& picture : decoder_->next(latent)) {
        if (frames_left_-- > 0) sink_->write(picture);
      }
    });
  }
}

void PreviewWriter::finish() {
  if (sink_) attempt([&] { sink_->finish(); });
}

}  // namespace unianimate::pipeline
