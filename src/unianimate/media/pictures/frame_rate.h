// The rate of frames, by their times.
#pragma once

#include <span>

namespace unianimate {

/// The rate, above 0, at which frames shown at these increasing times follow each other: one in the median of the
/// intervals between them, or rather in the mean of those near it, since clocks of whole milliseconds and hundredths
/// make one interval two. Pauses do not count, neither do frames left out; where intervals of two kinds take turns
/// (24 pictures a second shown in 60 fields), both count. `told`, the rate that somebody tells, or 0, is given back
/// where it is within a hundredth, and where the times tell nothing. Never below 0.1 but where `told` is: what is shown
/// for more than ten seconds is a pause.
double frame_rate(std::span<const double> seconds, double told);

}  // namespace unianimate
