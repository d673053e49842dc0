# Which documents were locked in the night, in order, and when. Needs first and minutes.
BEGIN {
    for (i = 1; i <= total; i++) if (home[i] in size) locked[++n] = i
    for (k = 1; k <= n; k++) locked_at[k] = first + int(minutes * 60 * (k - 1) / (n - 1))
}
