#include "unianimate/evaluation/enlarged.h"

#include "unianimate/media/pictures/resize.h"

namespace unianimate::evaluation {

Image enlarged(const Image& picture, int least_height) {
  const int factor = (least_height + picture.height - 1) / picture.height;
  return resize_bilinear(picture, factor * picture.width, factor * picture.height);
}

}  // namespace unianimate::evaluation
