#include "reverse/telnet.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

/* RFC 854, and RFC 855 for what stands between SB and SE. */
enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };

#define TOTAL_MAX (4 * TELNET_TEXT_MAX) /* bytes of any kind; whoever sends more is not listened to */

/* What turns the pager off: IOS, IOS-XR, NX-OS, EOS and FRR; Junos; Huawei; SR OS. */
static const char *const pagers[] = {
	"terminal length 0", "set cli screen-length 0", "screen-length 0 temporary", "environment no more"};

/* The second is for IPv6 only, and for routers that want to be told so. */
static const char *const commands[] = {"traceroute", "traceroute ipv6", "tracert", "tracert ipv6"};

void telnet_init(struct telnet *telnet, struct addr to, const char *user, const char *password)
{
	memset(telnet, 0, sizeof(*telnet));
	telnet->to = to;
	telnet->user = user;
	telnet->password = password;
}

/* ---- to the router */

static void put_bytes(struct telnet *telnet, const void *bytes, size_t length)
{
	if (length > sizeof(telnet->out) - telnet->out_length)
		return;
	memcpy(telnet->out + telnet->out_length, bytes, length);
	telnet->out_length += length;
}

/* RFC 854: the end of a line is CR LF. What came before is done with. */
static void send_line(struct telnet *telnet, const char *line)
{
	put_bytes(telnet, line, strlen(line));
	put_bytes(telnet, "\r\n", 2);
	telnet->length = 0;
	telnet->text[0] = '\0';
}

static void fail(struct telnet *telnet, const char *reason)
{
	telnet->state = TELNET_FAILED;
	telnet->reason = reason;
}

static void send_pager(struct telnet *telnet)
{
	telnet->state = TELNET_LOGGED_IN;
	send_line(telnet, pagers[telnet->pager]);
}

static void send_command(struct telnet *telnet)
{
	char target[ADDR_TEXT_SIZE];
	telnet->state = TELNET_COMMAND;
	snprintf(telnet->sent, sizeof(telnet->sent), "%s %s", commands[telnet->command],
		addr_format(telnet->to, target));
	send_line(telnet, telnet->sent);
}

/* ---- what the router shows */

static const char *last_line(const struct telnet *telnet)
{
	const char *line = memrchr(telnet->text, '\n', telnet->length);
	return line ? line + 1 : telnet->text;
}

/* The line without blanks at its end. */
static size_t visible(const char *line)
{
	size_t length = strlen(line);
	while (length > 0 && isblank((unsigned char)line[length - 1]))
		length--;
	return length;
}

static bool line_ends(const char *line, const char *word)
{
	size_t length = visible(line), word_length = strlen(word);
	return length >= word_length && strncasecmp(line + length - word_length, word, word_length) == 0;
}

static bool like_prompt(const char *line)
{
	size_t length = visible(line);
	return length > 0 && length < 100 && strchr(">#$%", line[length - 1]);
}

static bool is_prompt(const struct telnet *telnet, const char *line)
{
	size_t length = visible(line);
	return telnet->prompt[0] && length == strlen(telnet->prompt) &&
		memcmp(line, telnet->prompt, length) == 0;
}

/* Only the beginning counts: names of hosts on the way may be anything. */
static bool refused(const struct telnet *telnet)
{
	static const char *const words[] = {"% invalid", "% unknown", "% unrecognized", "% bad",
		"% incomplete", "% ambiguous", "invalid input", "unknown command", "unrecognized command",
		"syntax error", "error:", "not found", "permission denied", "not authorized",
		"no such command"};
	char start[401];
	snprintf(start, sizeof(start), "%.400s", telnet->text);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(start, words[i]))
			return true;
	return false;
}

/* ---- turns of the session */

static void on_login(struct telnet *telnet)
{
	if (telnet->state == TELNET_PASSWORD)
		fail(telnet, "user name or password was refused");
	else if (!telnet->user)
		fail(telnet, "it asks for a user name: write telnet://USER@HOST");
	else
		send_line(telnet, telnet->user);
}

static void on_password(struct telnet *telnet)
{
	if (telnet->state == TELNET_PASSWORD) {
		fail(telnet, "user name or password was refused");
	} else if (!telnet->password) {
		fail(telnet, "it asks for a password: write telnet://USER:PASSWORD@HOST");
	} else {
		telnet->state = TELNET_PASSWORD;
		send_line(telnet, telnet->password);
	}
}

/* What it printed for the command: without its echo, and without the prompt. */
static void keep_output(struct telnet *telnet)
{
	char *text = telnet->text, *prompt = (char *)last_line(telnet);
	char *line_end = strchr(text, '\n');
	if (is_prompt(telnet, prompt))
		*prompt = '\0';
	size_t echo = line_end ? (size_t)(line_end + 1 - text) : 0;
	const char *echoed = strstr(text, telnet->sent);
	if (echo && echoed && echoed < line_end)
		memmove(text, text + echo, strlen(text + echo) + 1);
	telnet->length = strlen(text);
	telnet->state = TELNET_DONE;
}

static void next_command(struct telnet *telnet)
{
	do
		telnet->command++;
	while (telnet->command < ARRAY_LEN(commands) && strstr(commands[telnet->command], "ipv6") &&
		telnet->to.family == 4);
	if (telnet->command < ARRAY_LEN(commands))
		send_command(telnet);
	else
		fail(telnet, "it does not let us run a traceroute");
}

static void on_prompt(struct telnet *telnet, const char *line)
{
	switch (telnet->state) {
	case TELNET_GREETING:
	case TELNET_PASSWORD:
		snprintf(telnet->prompt, sizeof(telnet->prompt), "%.*s", (int)visible(line), line);
		send_pager(telnet);
		break;
	case TELNET_LOGGED_IN:
		if (refused(telnet) && ++telnet->pager < ARRAY_LEN(pagers))
			send_pager(telnet);
		else
			send_command(telnet);
		break;
	case TELNET_COMMAND:
		if (refused(telnet))
			next_command(telnet);
		else
			keep_output(telnet);
		break;
	case TELNET_DONE:
	case TELNET_FAILED: break;
	}
}

/* --More--, ---(more 40%)---, -- more --: as many dashes behind as before. */
static bool like_pager(const char *line)
{
	line += strspn(line, " ");
	size_t length = visible(line), before = strspn(line, "-"), behind = 0;
	while (behind < length && line[length - 1 - behind] == '-')
		behind++;
	return before >= 2 && behind == before && length > 2 * before && length < 40 &&
		strcasestr(line, "more");
}

/* A pager that could not be turned off wants a key: a blank is another page. Its line is taken away. */
static bool pass_pager(struct telnet *telnet, const char *line)
{
	if (!like_pager(line))
		return false;
	telnet->length = (size_t)(line - telnet->text);
	telnet->text[telnet->length] = '\0';
	put_bytes(telnet, " ", 1);
	return true;
}

/* "Last login: Sun ..." is on its way after many a login. */
static bool asks_name(const char *line)
{
	return strncasecmp(line, "last ", 5) != 0 &&
		(line_ends(line, "login:") || line_ends(line, "username:") || line_ends(line, "user name:"));
}

static void look(struct telnet *telnet)
{
	const char *line = last_line(telnet);
	bool opening = telnet->state == TELNET_GREETING || telnet->state == TELNET_PASSWORD;
	if (telnet->state >= TELNET_DONE || pass_pager(telnet, line))
		return;
	if (opening && asks_name(line))
		on_login(telnet);
	else if (opening && (line_ends(line, "password:") || line_ends(line, "passcode:")))
		on_password(telnet);
	else if (!opening && is_prompt(telnet, line))
		on_prompt(telnet, line);
}

void telnet_quiet(struct telnet *telnet)
{
	const char *line = last_line(telnet);
	bool opening = telnet->state == TELNET_GREETING || telnet->state == TELNET_PASSWORD;
	if (opening && like_prompt(line))
		on_prompt(telnet, line);
}

/* ---- bytes */

/* Control characters are taken out, and with them the sequences that move a cursor (ESC [ ... letter). */
static void take_char(struct telnet *telnet, char byte)
{
	char *text = telnet->text;
	char *escape =
		memrchr(text + telnet->length - MIN(telnet->length, 16), '\033', MIN(telnet->length, 16));
	if (escape) {
		bool opening = escape + 1 == text + telnet->length && byte == '[';
		if (!opening &&
			(byte == '\n' || isalpha((unsigned char)byte) || escape + 1 == text + telnet->length))
			telnet->length = (size_t)(escape - text);
		else
			text[telnet->length++] = byte;
		if (byte != '\n') {
			text[telnet->length] = '\0';
			return;
		}
	}
	if (byte == '\b' && telnet->length > 0 && text[telnet->length - 1] != '\n')
		telnet->length--;
	else if (byte == '\n' || byte == '\t' || byte == '\033' || (unsigned char)byte >= ' ')
		text[telnet->length++] = byte;
	text[telnet->length] = '\0';
}

static void answer_option(struct telnet *telnet, uint8_t verb, uint8_t option)
{
	uint8_t answer[] = {IAC, verb == WILL ? DONT : WONT, option};
	if (verb == WILL || verb == DO)
		put_bytes(telnet, answer, sizeof(answer));
}

/* True: the byte belongs to a command of telnet. */
static bool take_command(struct telnet *telnet, uint8_t byte)
{
	if (telnet->iac_length == 0 && byte != IAC)
		return telnet->in_subnegotiation;
	if (telnet->iac_length == 0) {
		telnet->iac[telnet->iac_length++] = byte;
		return true;
	}
	if (telnet->iac_length == 2) {
		telnet->iac_length = 0;
		answer_option(telnet, telnet->iac[1], byte);
		return true;
	}
	telnet->iac_length = 0;
	if (byte == SB) {
		telnet->in_subnegotiation = true;
	} else if (byte == SE) {
		telnet->in_subnegotiation = false;
	} else if (byte >= WILL && byte <= DONT && !telnet->in_subnegotiation) {
		telnet->iac[1] = byte;
		telnet->iac_length = 2;
	}
	return byte != IAC || telnet->in_subnegotiation;
}

void telnet_feed(struct telnet *telnet, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length && telnet->state < TELNET_DONE; i++) {
		if (++telnet->total > TOTAL_MAX || telnet->length == TELNET_TEXT_MAX) {
			if (!telnet_end(telnet))
				fail(telnet, "it prints without end");
			return;
		}
		if (!take_command(telnet, bytes[i]))
			take_char(telnet, (char)bytes[i]);
	}
	look(telnet);
}

bool telnet_end(struct telnet *telnet)
{
	if (telnet->state == TELNET_COMMAND && telnet->length > 0 && !refused(telnet))
		keep_output(telnet);
	return telnet->state == TELNET_DONE;
}
