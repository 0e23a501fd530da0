// One call of the program: the only place that catches errors and turns them into messages and exit statuses.
#pragma once

namespace unianimate::cli {

/// Reads the command line, does what it asks for, says what was wrong, and returns the exit status.
int invoke(int argc, char** argv);

}  // namespace unianimate::cli
