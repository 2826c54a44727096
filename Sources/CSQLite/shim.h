// The system's SQLite. Everything the store calls is an ordinary C function, so nothing is wrapped
// here; sqlite3_config and sqlite3_db_config take variable arguments, which Swift cannot call, and
// are not used.
#ifndef FAREGATE_CSQLITE_H
#define FAREGATE_CSQLITE_H

#include <sqlite3.h>

#endif
