// The page in a browser: index.html at "/", and what it is made of.
#pragma once

#include "unianimate/server/http/router.h"

namespace unianimate::server {

/// No token is needed for them. The page loads nothing from elsewhere, and its policy lets it load nothing.
void add_page_routes(http::Router& router);

}  // namespace unianimate::server
