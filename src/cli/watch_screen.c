#include <errno.h>
#include "cli/watch_inside.h"
int screen_start(struct watch *watch, struct error *error)
{
	(void)watch;
	return error_set(error, -ENOSYS, "no screen yet: use -r");
}
void screen_stop(struct watch *watch)
{
	(void)watch;
}
