/* Giving privilege up. */
#ifndef RETOUR_NET_PRIVILEGE_H
#define RETOUR_NET_PRIVILEGE_H

#include <stdbool.h>

#include "base/error.h"

/* Once the sockets are open: clear every capability, forbid getting any back, and undo set-user-id. After
 * this the process can use what it holds and open what its user may. */
int privilege_drop(struct error *error);

/* Does this process have that capability (CAP_... of linux/capability.h) in effect? */
bool privilege_has(unsigned capability);

#endif
