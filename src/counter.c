#include "postgres.h"
#include "missing_symbol.h"
