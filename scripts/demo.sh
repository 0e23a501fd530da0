#!/usr/bin/env bash
# Sets up, builds the program, and lets its embedded model animate a person it has never seen with a motion it has never
# seen; the true frames are known, so the result is measured and shown beside them.
#
#   scripts/demo.sh [VIDEO]      with a video of somebody who moves, the person performs that, too: demo/motion.mp4
set -euo pipefail
video=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n-- %s\n' "$*"; }
unianimate=build/release/bin/unianimate
person=900100

scripts/setup.sh

say "building the program"
cmake --preset release --log-level=WARNING
cmake --build --preset release --target unianimate

say "drawing a person and the poses of a dance: demo/person"
"$unianimate" puppet --seed $person --size 192x256 --frames 24 --fps 8 --output demo/person

say "animating the picture with the poses: demo/result.mp4"
"$unianimate" animate --models models/puppet --reference demo/person/reference.png --poses demo/person/poses --frames 24 \
  --output demo/result.mp4

say "measuring it against the true frames"
"$unianimate" evaluate model --models models/puppet --people $person --frames 24 --conditions reference --videos --output demo/quality
cp "demo/quality/person-$person.mp4" demo/out.mp4

if [ -n "$video" ]; then
  say "the same person performs $video: demo/motion.mp4"
  "$unianimate" animate --models models/puppet --reference demo/person/reference.png --motion "$video" --frames 24 \
    --comparison --output demo/motion.mp4
fi

cat <<EOF

demo/out.mp4 has four columns: the reference picture, the pose, the result, and the truth that the model never saw.
demo/quality has the figures and a sheet of frames; models/puppet/README.md says what this small model can do and how
it was trained. For people of flesh and blood put the published checkpoints into checkpoints/ (README.md says which and
how), then:

  $unianimate models list
  $unianimate animate --reference person.jpg --motion dance.mp4 --output person.mp4
EOF
