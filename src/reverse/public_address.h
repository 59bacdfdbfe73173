/* Our address as the Internet sees it: what a far trace has to be sent to. The user's word comes first; then
 * the source address, where it is a global one; then what a server that the user named sees: `retour serve`
 * at the URL that is measured, or the STUN servers of the settings. Never a header, and never a server that
 * the user did not name. */
#ifndef RETOUR_REVERSE_PUBLIC_ADDRESS_H
#define RETOUR_REVERSE_PUBLIC_ADDRESS_H

#include <stdbool.h>

#include "reverse/asking.h"

enum public_source {
	PUBLIC_NOT_KNOWN,
	PUBLIC_SAID,   /* by the user */
	PUBLIC_OWN,    /* ours, as far as can be seen from here: an address that nobody needs to translate */
	PUBLIC_SERVER, /* retour serve saw it */
	PUBLIC_STUN,
};

struct public_view {
	enum public_source source;
	struct addr address;
	bool translated; /* it is not the address that we have: the way back ends at a NAT */
	char note[240];	 /* for a person: why it is not known, or what is to be minded; "" = nothing */
};

struct public_inquiry;
/* Called once, with `asking` not abandoned. */
typedef void public_address_done(struct asking *asking, const struct public_view *view);

/* Without asking anybody. False: somebody has to be asked, or nobody can be (the note says so). */
bool public_address_known(const struct reverse_task *task, struct public_view *view);
/* `done` is called from here where nobody has to be asked (*inquiry is NULL then), else from the loop. The
 * address becomes the run's `public_address`, too. 0 or -ENOMEM. */
int public_address_ask(
	struct public_inquiry **inquiry, struct asking *asking, public_address_done *done) MUST_USE;
/* At any time before `done`, which is not called then. NULL is fine. */
void public_address_cancel(struct public_inquiry *inquiry);
/* Somebody was asked, and may answer otherwise later. */
bool public_address_may_change(const struct public_view *view);

#endif
