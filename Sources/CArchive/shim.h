#pragma once
#include <archive.h>
#include <archive_entry.h>

// Macros with casts, which Swift does not import.
static inline unsigned fovea_regular_file(void) { return AE_IFREG; }
