// An alignment in figures, drawn: what became of the bones, and what was seen of the driver when.
#pragma once

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// On white, 1120 pixels wide.
/// Above: a bar for each bone's ratio, from 1 (the bone follows the whole figure) on a logarithmic scale that ends at 8
/// times either way, coloured by its source. No bar stands for a ratio that is not positive; bones after the 64th are
/// left out.
/// Below: time from left to right, every frame of the motion or, of more frames than pixels, groups of them. Each part
/// of the body has a row whose columns are filled to the share of its points that the driver shows ("seen") and that
/// only the aligned pose has, on its canvas ("filled in"). A row above marks every frame in which nobody was found:
/// where the driver has nobody, or somebody filled in.
/// `driver`: the person before alignment, with or without fill_gaps(); a sequence of another length is taken to last as
/// long.
Image alignment_plot(const AlignedPoses& poses, const PoseSequence& driver);

}  // namespace unianimate::pose
