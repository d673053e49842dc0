# Prints when each document was locked in the night, and which.
BEGIN { for (k = 1; k <= n; k++) print locked_at[k], path[locked[k]] }
