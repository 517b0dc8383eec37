"""Who is offered less, by protected group."""
