#include "tests/contract/disk_contract.h"
