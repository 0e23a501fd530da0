# FFmpeg's libraries from Debian's packages.

pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavfilter libavformat libavcodec libavutil libswresample libswscale)
