// What tests of the pipeline hand to it and look at afterwards.
#pragma once

#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/frame_sink.h"

namespace unianimate::pipeline {

class FrameCollector final : public FrameSink {
 public:
  void write(const Image& frame) override { frames.push_back(frame); }
  void finish() override { finished = true; }
  std::vector<Image> frames;
  bool finished = false;
};

/// Is cancelled once it has been asked so many times.
class StopAfter final : public Progress {
 public:
  explicit StopAfter(int questions) : left_(questions) {}
  [[nodiscard]] bool cancelled() const override { return left_-- <= 0; }

 private:
  mutable int left_;
};

}  // namespace unianimate::pipeline
