// Pose pictures as the model was trained on them.
#pragma once

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/keypoints.h"

namespace unianimate::pose {

/// The pixel size published pose pictures have.
inline constexpr int kCanvasWidth = 512;
inline constexpr int kCanvasHeight = 768;

/// Body, feet and hands of one person on black, pixel for pixel as the published tool draws them: limbs as filled
/// ellipses dimmed to 60 %, joints and hand points as discs, hand edges as lines. Points are in pixels of the canvas.
/// Body points are drawn where they are seen; hand points where they are seen and both coordinates are over 0.01. A
/// foot is drawn to the middle of big and small toe where both are seen. The face is not drawn: the model is not given
/// it. Red and blue are exchanged against the published colour list, because the published tool writes its canvas
/// through an encoder that takes BGR; the model learnt from those files.
/// Throws Error(kUsage) unless both sides are at least 1.
Image draw_pose(const Keypoints& keypoints, int width, int height);

/// The same figure over a copy of the picture, in true colours and with its lines scaled to the picture, for people to
/// look at. Points are in pixels of the picture.
Image draw_pose_over(const Image& picture, const Keypoints& keypoints);

}  // namespace unianimate::pose
