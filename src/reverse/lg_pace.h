/* How long ago a looking glass was asked that wants to be left alone for a while in between. The time is that
 * of an empty file in $XDG_STATE_HOME/retour (~/.local/state/retour). */
#ifndef RETOUR_REVERSE_LG_PACE_H
#define RETOUR_REVERSE_LG_PACE_H

/* Seconds to wait until `name` may be asked again; 0: now, and that is remembered. */
unsigned lg_pace(const char *name, unsigned min_interval_s);

#endif
