// Stands in for a header of Gloo; see README.md beside this folder.
#pragma once

namespace gloo::transport {
class Device;
}
