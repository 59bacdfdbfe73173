/* The TCP header (RFC 9293 3.1) with the options that probes and their answers use. */
#include "packet/wire.h"

enum tcp_option_type {
	TCP_OPTION_END = 0,
	TCP_OPTION_NOP = 1,
	TCP_OPTION_MSS = 2,
	TCP_OPTION_WINDOW_SCALE = 3,
	TCP_OPTION_SACK_PERMITTED = 4,
	TCP_OPTION_SACK = 5,
	TCP_OPTION_TIMESTAMPS = 8,
};

static void option_read(uint8_t type, struct cursor *data, struct transport *transport)
{
	if (type == TCP_OPTION_MSS && cursor_left(data) == 2) {
		transport->tcp_mss = cursor_u16(data);
	} else if (type == TCP_OPTION_TIMESTAMPS && cursor_left(data) == 8) {
		transport->tcp_has_timestamps = true;
		transport->tcp_timestamp_value = cursor_u32(data);
		transport->tcp_timestamp_echo = cursor_u32(data);
	} else if (type == TCP_OPTION_SACK_PERMITTED && cursor_left(data) == 0) {
		transport->tcp_sack_permitted = true;
	} else if (type == TCP_OPTION_WINDOW_SCALE && cursor_left(data) == 1) {
		transport->tcp_has_window_scale = true;
		transport->tcp_window_scale = cursor_u8(data);
	} else if (type == TCP_OPTION_SACK && cursor_left(data) >= 8) {
		transport->tcp_has_sack = true;
		transport->tcp_sack_left = cursor_u32(data);
		transport->tcp_sack_right = cursor_u32(data);
	}
}

static void options_read(struct cursor *options, struct transport *transport)
{
	while (cursor_left(options) > 0) {
		uint8_t type = cursor_u8(options);
		if (type == TCP_OPTION_END)
			return;
		if (type == TCP_OPTION_NOP)
			continue;
		uint8_t length = cursor_u8(options);
		if (length < 2)
			return;
		struct cursor data = cursor_take(options, length - 2u);
		if (cursor_ok(&data))
			option_read(type, &data, transport);
	}
}

void tcp_read(struct cursor *cursor, struct transport *transport)
{
	size_t at_hand = cursor_left(cursor);
	transport->source_port = cursor_u16(cursor);
	transport->destination_port = cursor_u16(cursor);
	transport->tcp_sequence = cursor_u32(cursor);
	transport->tcp_acknowledgement = cursor_u32(cursor);
	uint8_t header_length = (uint8_t)((cursor_u8(cursor) >> 4) * 4);
	transport->tcp_flags = cursor_u8(cursor);
	transport->tcp_window = cursor_u16(cursor);
	transport->checksum = cursor_u16(cursor);
	cursor_skip(cursor, 2); /* urgent pointer */
	header_length = MAX(header_length, TCP_HEADER_SIZE);
	transport->seen = (uint8_t)MIN(at_hand, header_length);
	size_t options_length = MIN(cursor_left(cursor), header_length - (size_t)TCP_HEADER_SIZE);
	struct cursor options = cursor_take(cursor, options_length);
	options_read(&options, transport);
}

unsigned tcp_options_length(const struct transport *transport)
{
	/* Timestamps leave two bytes in which the permission fits. */
	bool alone = transport->tcp_sack_permitted && !transport->tcp_has_timestamps;
	return (transport->tcp_mss ? 4 : 0) + (transport->tcp_has_timestamps ? 12 : 0) + (alone ? 4 : 0) +
		(transport->tcp_has_window_scale ? 4 : 0) + (transport->tcp_has_sack ? 12 : 0);
}

/* Two bytes: that selective acknowledgements may come, or nothing. */
static void write_permission(struct writer *writer, const struct transport *transport)
{
	writer_u8(writer, transport->tcp_sack_permitted ? TCP_OPTION_SACK_PERMITTED : TCP_OPTION_NOP);
	writer_u8(writer, transport->tcp_sack_permitted ? 2 : TCP_OPTION_NOP);
}

void tcp_write(struct writer *writer, const struct transport *transport)
{
	unsigned options = tcp_options_length(transport);
	writer_u16(writer, transport->source_port);
	writer_u16(writer, transport->destination_port);
	writer_u32(writer, transport->tcp_sequence);
	writer_u32(writer, transport->tcp_acknowledgement);
	writer_u8(writer, (uint8_t)((TCP_HEADER_SIZE + options) / 4 << 4));
	writer_u8(writer, transport->tcp_flags);
	writer_u16(writer, transport->tcp_window);
	writer_zeros(writer, 4); /* checksum, urgent pointer */
	if (transport->tcp_mss) {
		writer_u8(writer, TCP_OPTION_MSS);
		writer_u8(writer, 4);
		writer_u16(writer, transport->tcp_mss);
	}
	if (transport->tcp_has_timestamps) {
		write_permission(writer, transport); /* RFC 7323 appendix A: keeps the numbers aligned */
		writer_u8(writer, TCP_OPTION_TIMESTAMPS);
		writer_u8(writer, 10);
		writer_u32(writer, transport->tcp_timestamp_value);
		writer_u32(writer, transport->tcp_timestamp_echo);
	} else if (transport->tcp_sack_permitted) {
		writer_u8(writer, TCP_OPTION_NOP);
		writer_u8(writer, TCP_OPTION_NOP);
		write_permission(writer, transport);
	}
	if (transport->tcp_has_window_scale) {
		writer_u8(writer, TCP_OPTION_NOP);
		writer_u8(writer, TCP_OPTION_WINDOW_SCALE);
		writer_u8(writer, 3);
		writer_u8(writer, transport->tcp_window_scale);
	}
	if (transport->tcp_has_sack) {
		writer_u8(writer, TCP_OPTION_NOP);
		writer_u8(writer, TCP_OPTION_NOP);
		writer_u8(writer, TCP_OPTION_SACK);
		writer_u8(writer, 10);
		writer_u32(writer, transport->tcp_sack_left);
		writer_u32(writer, transport->tcp_sack_right);
	}
}
