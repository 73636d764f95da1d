"""A person's settings, and what is kept between runs."""
