// The fields of a sound.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/media/film/audio.h"

namespace unianimate {

inline void visit(fields::Archive& archive, AudioSource& audio) {
  archive("file", audio.file);
  archive("start_seconds", audio.start_seconds);
}

}  // namespace unianimate
