// Stands in for a header of Gloo, of which ProcessGroupGloo.hpp uses nothing; see README.md beside this folder.
#pragma once
