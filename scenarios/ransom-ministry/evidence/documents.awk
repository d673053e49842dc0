# The ministry's documents: where each is, when it was filed and what it says, the same wherever this
# runs. Needs seed, day and start (seconds), hit and sizes (the three shares locked in the night).
function dice(n) { state = state * 16807 % 2147483647; return state % n }
function pick(list, parts, n) { n = split(list, parts, "|"); return parts[1 + dice(n)] }
function person() {
    return pick("Arta|Besnik|Dragan|Elira|Goran|Ivana|Jovan|Lejla|Marija|Nikola|Teuta|Vesna") " " \
        pick("Bulatov|Dushku|Hadzin|Kolar|Lekaj|Marov|Osmanaj|Petrin|Rugova|Stanin|Tomovic|Zekan")
}
function add(share, name, at, body) {
    total++
    home[total] = share
    path[total] = share "/" name
    date[total] = at
    text[total] = "MINISTRY OF REGIONAL AFFAIRS\n" body
}
# The newest of a share are of the day before; the oldest are seven weeks old.
function file_away(share, kind, n, i, at, number, name, body) {
    number = 100 + dice(300)
    for (i = n; i >= 1; i--) {
        at = day - (1 + int(50 * ((i - 1) / (n - 1)) ^ 2)) * 86400
        at += 8 * 3600 + int(8 * 3600 * (n - i) / n) + dice(300)
        name = sprintf("%s-%04d.txt", kind, number++)
        body = sprintf("%s\nDate: %s\nFile: %s\n\n", kind, strftime("%d.%m.%Y", at, 1), number)
        add(share, name, at, body lines(share))
    }
}
function lines(share, all, i) {
    for (i = 2 + dice(4); i > 0; i--) all = all line(share) "\n"
    return all "\nSigned: " person() "\n"
}
function line(share) {
    if (share == "finance") return "Item " (10 + dice(80)) ": " (100 + dice(90000)) ".00, paid from heading " (1 + dice(9)) "."
    if (share == "procurement") return "Offer of bidder " (1 + dice(6)) ": " (1000 + dice(99000)) ".00, " (30 + dice(90)) " days."
    if (share == "personnel") return person() ": " (1 + dice(25)) " days of " pick("leave|sick leave|training|duty travel") "."
    if (share == "legal") return "Article " (1 + dice(90)) ": " pick("no objection|to be reworded|contrary to the statute|see the annex") "."
    if (share == "projects") return "Work package " (1 + dice(9)) ": " dice(100) " of 100, " pick("in time|late|waiting for the donor") "."
    if (share == "press") return pick("The minister visits|The ministry opens|The ministry supports") " " pick("a school|a bridge|a market|a library") " in district " (1 + dice(12)) "."
    return "From " person() ": " pick("an application|an appeal|a question|a complaint") ", " (1 + dice(20)) " pages."
}
BEGIN {
    state = seed
    split(hit, name_of); split(sizes, size_of)
    for (k = 1; k <= 3; k++) size[name_of[k]] = size_of[k]
    split("finance legal personnel press procurement projects", shares)
    kind["finance"] = "payment-order"; kind["legal"] = "opinion"; kind["personnel"] = "staff-record"
    kind["press"] = "release"; kind["procurement"] = "tender"; kind["projects"] = "progress-report"
    for (k = 1; k <= 6; k++) file_away(shares[k], kind[shares[k]], shares[k] in size ? size[shares[k]] : 31)
    file_away("registry", "incoming", 44)
    # What the registry scanned this morning is in no backup.
    for (k = 0; k < 8; k++) {
        at = start - 9000 + k * 600 + dice(300)
        add("registry", sprintf("scan-%s-%d.txt", strftime("%m%d", at, 1), k + 1), at, "incoming, today\n\n" lines("registry"))
    }
}
