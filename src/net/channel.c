#include "net/channel.h"

#include <time.h> /* before errqueue.h, which does not include it */
#include <linux/errqueue.h>
#include <unistd.h>

#include "base/compiler.h"
#include "net/connecting.h"
#include "net/message.h"

void stamped_open(struct channel *channel, int fd)
{
	int on = 1;
	/* Without stamps the time of the system call serves; nothing is lost but precision. */
	channel->stamped.fd = fd;
	channel->stamped.count = 0;
	(void)stamp_enable(fd, true);
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
}

void stamped_sent(struct channel *channel, uint32_t number)
{
	channel->stamped.numbers[channel->stamped.count++ % CHANNEL_STAMPS] = number;
}

void stamped_restart(struct channel *channel)
{
	(void)stamp_enable(channel->stamped.fd, true);
	channel->stamped.count = 0;
}

static void report_stamp(struct channel *channel, const struct channel_events *events, uint32_t id,
	const struct message *message)
{
	const struct stamped_socket *stamped = &channel->stamped;
	if (id < stamped->count && stamped->count - id <= CHANNEL_STAMPS)
		events->stamp(events->context, stamped->numbers[id % CHANNEL_STAMPS],
			stamp_since(&channel->clock, &message->header));
}

void channel_read_errors(
	struct channel *channel, const struct channel_events *events, int index, channel_error_reader *other)
{
	struct message message;
	while (message_receive(&message, channel->fds[index], MSG_ERRQUEUE) == 0) {
		struct message_error error;
		if (!message_error_of(&message, &error))
			continue;
		if (error.origin == SO_EE_ORIGIN_TIMESTAMPING)
			report_stamp(channel, events, error.info, &message);
		else if (other)
			other(channel, events, index, &message);
	}
}

void channel_read_all(
	struct channel *channel, const struct channel_events *events, int index, channel_error_reader *reader)
{
	struct message message;
	while (message_receive(&message, channel->fds[index], 0) == 0) {
		channel->drops[index] = MAX(channel->drops[index], message_drops(&message));
		reader(channel, events, index, &message);
	}
}

uint32_t channel_drops(const struct channel *channel)
{
	uint32_t drops = 0;
	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		drops += channel->drops[i];
	return drops;
}

void channel_close(struct channel *channel)
{
	int borrowed = channel->connecting ? connecting_fd(channel->connecting) : -1;
	connecting_free(channel->connecting);
	channel->connecting = NULL;
	for (int i = 0; i < CHANNEL_FDS_MAX; i++) {
		if (channel->fds[i] >= 0 && channel->fds[i] != borrowed)
			close(channel->fds[i]);
		channel->fds[i] = -1;
	}
}
